"""The component tags by group; core/templatetags/components.py puts them into one library."""
