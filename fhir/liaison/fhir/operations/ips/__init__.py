"""The International Patient Summary (IPS STU2, https://hl7.org/fhir/uv/ips/STU2/): which part of a record it is made of,
in which sections, and how each is told in French. Pure functions over what the caller may see: no reading, no clock.
"""
