"""People, organizations and tenants of a Keystone. Without KEYSTONE_URL nothing here does anything.

`facts` is what Keystone says, `wire` the only module that talks to it, `sync` makes our rows follow.
"""
