# What every package is compiled with. A change here rebuilds everything: this file is part of each
# package's key, whereas `build` (which only decides what is built when) is not.

# Sections let the final link drop what it does not use; the stack protector is there because all of
# these libraries read what strangers send. The baseline is any x86-64: faster code for newer
# processors is chosen at run time, by the libraries that have it.
CFLAGS="-O2 -pipe -ffunction-sections -fdata-sections -fstack-protector-strong"
LDFLAGS=""
export CFLAGS LDFLAGS

# Where libraries believe they will live. Not a folder of this machine, so that an install step
# which forgets $DEST is found out (`build` looks); what it put into $OUT = $DEST$PREFIX is the
# package.
export PREFIX=/sysroot OUT=$DEST/sysroot

export CC=musl-gcc AR=ar RANLIB=ranlib
export ARFLAGS=rcD

# For `./configure`: a native build as far as its tests go (what they link runs on this machine),
# but told that the C library is musl. Regenerating shipped files is never wanted.
configure_static()
{
	./configure --build=x86_64-linux-musl --prefix=$PREFIX --disable-shared --enable-static \
		--disable-dependency-tracking --disable-silent-rules "$@"
}

# `make` with every tool replaced that would regenerate configure, Makefile.in, documents and so on.
make_plain()
{
	make -j"$JOBS" ACLOCAL=: AUTOCONF=: AUTOHEADER=: AUTOMAKE=: MAKEINFO=: HELP2MAN=: "$@"
}

# Makes everything local to a static library but the names that match the patterns. Without that,
# the helpers inside (log_init, utf8_encode, hashtable_set ...) would be names of our program,
# too.
export_only()
{
	local library=$1

	shift
	ld -r --whole-archive "$library" -o exported.o
	objcopy --wildcard $(printf -- '--keep-global-symbol=%s ' "$@") exported.o
	rm "$library"
	ar rcD "$library" exported.o
}

# Leaves headers, static libraries and pkg-config files, the latter with paths that move with them.
tidy_library()
{
	find "$OUT" \( -name '*.la' -o -name '*.so*' \) -delete
	rm -rf "$OUT/share" "$OUT/sbin" "$OUT/etc" "$OUT/bin"
	if [ -d "$OUT/lib/pkgconfig" ]; then
		sed -i -e 's,^prefix=.*,prefix=${pcfiledir}/../..,' -e "s,=$PREFIX\$,=\${prefix}," \
			"$OUT"/lib/pkgconfig/*.pc
	fi
}
