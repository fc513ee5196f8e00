"""How much a tenant and its projects may hold, how much they hold, and what they lent one another."""
