"""The page that a person sees, at `/` and for every directory: what is here, whether it can be trusted, what to type.

Pure: a served site and a view of it come in, bytes go out; the only user of jinja2. Refuses to know HTTP. Whatever a
bundle says of itself is text to be escaped, isolated and cut, never markup, never a link to elsewhere.
"""
