"""The protocols in force: what was published here (`published`), how it is published (`publishing`), and that nobody changes it
(`immutable`). A worker follows a publication at its next question: nothing is started anew."""
