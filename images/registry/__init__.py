"""The registry that people push to: Berth says who may do what there, and the registry tells what was done."""
