"""The apps of others, as people meet them: opening one on a record, and seeing and ending what was given to each."""
