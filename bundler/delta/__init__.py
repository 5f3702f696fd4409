"""Patches between contents of files: made where a delta is built, applied where it is completed.

Begin at `making.py` and `applying.py`; the recipe that leads from one to the other is `bundler/model/patch_recipe.py`.
Which file is patched against which, and where both lie, is not known here.
"""
