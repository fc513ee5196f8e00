"""Rules that no linter knows. Each failure says what to do."""
