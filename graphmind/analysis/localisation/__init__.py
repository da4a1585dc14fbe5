"""Which service is at fault? A window of spans against fault-free reference periods. Pure."""
