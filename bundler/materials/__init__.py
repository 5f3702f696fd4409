"""What a bundle is made of, as a bill of materials: `bill` says what happens when, `inner_content` looks inside.

`component` has the values; `components` makes them of an index and of what was found in the files; `cyclonedx` and
`spdx` write them down. Packages inside of images: `layer_reading` and `layer_selection` (one layer), `databases` (which
files tell of packages), `dpkg`, `apk` and `rpm_database` (what they say), `image_packages` (one image). Nothing that is
read is trusted, and what cannot be read is said in the bill.
"""
