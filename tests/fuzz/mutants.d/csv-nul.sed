#file src/base/csv.c
#target csv
#why a NUL is let through
s/c == '\\0' \|\| c == '\\x1b'/c == '\\x1b'/
s/'\\r', '\\n', '\\0', '\\x1b'/'\\r', '\\n', '\\x1b', '\\x1b'/
