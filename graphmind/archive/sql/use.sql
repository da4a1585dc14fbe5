-- Unqualified names mean the attached database.
USE archive;
