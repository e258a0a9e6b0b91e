#file src/delivery/session.c
#why the journal does not learn that a message ends
s/JOURNAL_DOT_SENT/JOURNAL_LEASED/
