#file src/delivery/session_verdict.c
#why the journal does not learn the answer and forgets the doubt
s/JOURNAL_ANSWERED/JOURNAL_LEASED/
