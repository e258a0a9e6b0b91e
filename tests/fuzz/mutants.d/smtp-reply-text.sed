#file src/smtp/reply.c
#target smtp_reply
#why control bytes stay in the text
s/byte < 0x20 \|\| byte == 0x7f/byte == 0x7f/
