"""What is changed of an environment once it is there."""
