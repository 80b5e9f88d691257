"""The PPCS of one person, on one page to print: who coordinates, what is the matter, what they wish, who does what and when."""
