"""Who may see and write what: facts become relations, relations become grants, grants decide inside SQL.

The law is data (`rules.yaml`); nothing here decides by role in code except the second wall, on purpose.
"""
