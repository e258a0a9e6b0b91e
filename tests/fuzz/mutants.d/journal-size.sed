#file src/store/journal.c
#target journal
#why a file that is cut short is believed
s/ \|\| \(size_t\)st.st_size < size_of\(head.slots\)//
