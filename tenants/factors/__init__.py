"""Second factors of local people: an app with codes, passkeys, recovery codes. People of Keystone have theirs there.

The library (allauth.mfa) keeps them and does the sums; the doors, pages and commands are our own (docs/adr/0010).
"""
