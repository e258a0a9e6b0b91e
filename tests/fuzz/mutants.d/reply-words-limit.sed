#file src/smtp/reply_words.c
#target reply_class
#why the words of a long text are written beyond their room
s/slice_first\(text, SMTP_REPLY_TEXT_MAX\)/text/
