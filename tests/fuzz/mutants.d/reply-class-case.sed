#file src/smtp/reply_words.c
#target reply_class
#why words keep their capitals
s/out\[len\] = ascii_lower\(c\)/out[len] = c/
