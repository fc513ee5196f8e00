"""`make bench`: what Berth costs, beside what is done without it, on the machine it runs on."""
