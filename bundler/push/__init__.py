"""Images of an unpacked bundle into a container engine (`loading`) or a registry (`push_plan`).

A plan is pushed straight to the registry (`registry_push`) or through an engine (`engine_push`); `transport_choice`
decides. `docker` is the real engine, `harbor` and `robots` are for registries that are a Harbor.
"""
