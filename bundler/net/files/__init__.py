"""Single files by URL: http(s), ftp and the local disk.

Begin with `download`, which implements `interface.Downloader`.
"""
