"""The weekly incident topology review: assembled from what a week left, drawn as one page."""
