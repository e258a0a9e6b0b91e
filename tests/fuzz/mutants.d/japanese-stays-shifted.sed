#file src/message/japanese.c
#target japanese
#why text may end in two-byte mode
s/^\tif \(kanji\)$/\tif (false)/
