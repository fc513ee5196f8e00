"""The door in front of the registry: asks Berth before a name is given to an image, and lets layers pass untouched.

A process of its own, of Python alone. It fails closed: where Berth does not answer, nothing is pushed.
"""
