"""Django's backend for SQLite, whose connections can outlive the request they were opened for."""
