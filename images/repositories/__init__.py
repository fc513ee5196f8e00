"""What is known of repositories beyond what one may choose: their pages, their pulls, and taking something out."""
