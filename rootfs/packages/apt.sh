# The private apt: reads Debian's archive without touching this machine's own lists, and in more
# suites than the machine itself has. To be sourced by `build`; wants `$cache` (a folder) and
# `note` (a function).
#
#   apt_versions SOURCE KIND SUITE...      versions on offer, one a line, in the order to try them
#   apt_fetch    SOURCE KIND VERSION DIR   fetches it into DIR; fails if the archive lacks it
#
# KIND is `source` (a Debian source package) or `deb` (a binary package that holds source, such as
# the kernel's). Trust: apt checks the signature of each suite's Release file with Debian's
# archive keyring, and every file against the sums that lead from there. The mirror is the one the
# machine already uses; transport settings (proxies and the like) are taken over from its
# configuration, nothing else.

apt_keyring=${HIKYAKU_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
apt_suites="trixie trixie-updates trixie-backports trixie-security sid bookworm bookworm-security"
apt_fresh_minutes=60

# The base address of the Debian archive as this machine knows it, and that of the security archive.
apt_mirror()
{
	local main security

	main=${HIKYAKU_MIRROR:-}
	if [ -z "$main" ]; then
		main=$(
			apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
				'Created-By: Packages' |
				awk '$2 !~ /-security$/ && $3 == "main" &&
				     $1 ~ /\/debian\/?$/ { print $1; exit }'
		)
	fi
	[ -n "$main" ] || fail "no Debian archive in apt's sources: set HIKYAKU_MIRROR to one"
	security=${HIKYAKU_MIRROR_SECURITY:-$(
		apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
			awk '$2 ~ /-security$/ { print $1; exit }')}
	main=${main%/}
	echo "$main ${security:-$main-security}"
}

# Writes the configuration, then fetches the indexes if those at hand are older than
# apt_fresh_minutes.
apt_prepare()
{
	local dir=$cache/apt mirrors main security suite started=$SECONDS

	[ -z "${apt_prepared:-}" ] || return 0
	[ -r "$apt_keyring" ] || fail "no $apt_keyring: install debian-archive-keyring"
	mirrors=$(apt_mirror)
	main=${mirrors% *} security=${mirrors#* }
	mkdir -p "$dir"/{lists/partial,archives/partial,etc,none}
	: >"$dir/status"
	for suite in $apt_suites; do
		case $suite in
		*-security) echo "deb-src [signed-by=$apt_keyring] $security $suite main" ;;
		*) echo "deb-src [signed-by=$apt_keyring] $main $suite main" ;;
		esac
	done >"$dir/sources.list.new"
	# Binary indexes only where a recipe takes a .deb from.
	cat >>"$dir/sources.list.new" <<-END
		deb [arch=amd64 signed-by=$apt_keyring] $main trixie main
		deb [arch=amd64 signed-by=$apt_keyring] $security trixie-security main
	END
	{
		cat <<-END
			Dir "$dir/";
			Dir::Etc "$dir/etc/";
			Dir::Etc::sourcelist "$dir/sources.list";
			Dir::Etc::main "$dir/none/main";
			Dir::Etc::parts "$dir/none/";
			Dir::Etc::sourceparts "$dir/none/";
			Dir::Etc::preferences "$dir/none/preferences";
			Dir::Etc::preferencesparts "$dir/none/";
			Dir::Etc::trusted "$dir/none/trusted";
			Dir::Etc::trustedparts "$dir/none/";
			Dir::State "$dir/";
			Dir::State::lists "$dir/lists/";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir/";
			Dir::Cache::archives "$dir/archives/";
			APT::Architecture "amd64";
			APT::Architectures { "amd64"; };
			APT::Sandbox::User "root";
			APT::Get::Only-Source "true";
			Acquire::Languages "none";
			Acquire::Retries "3";
		END
		apt-config dump | grep -E '^Acquire::(https?::|ftp::|Check-Valid-Until|Check-Date)' || true
	} >"$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
	if ! cmp -s "$dir/sources.list.new" "$dir/sources.list" ||
		[ -z "$(find "$dir/updated" -mmin "-$apt_fresh_minutes" 2>/dev/null)" ]; then
		mv "$dir/sources.list.new" "$dir/sources.list"
		apt-get -q=2 update >"$dir/update.log" 2>&1 || fail "apt-get update: see $dir/update.log"
		touch "$dir/updated"
		note "archive indexes fetched" "$((SECONDS - started))"
	fi
	apt_prepared=yes
}

apt_versions()
{
	local source=$1 kind=$2 suite list index=Sources

	shift 2
	apt_prepare
	[ "$kind" = source ] || index=Packages
	list=$(apt-cache madison "$source" | awk -F'|' -v kind="$index" '
		{ split($3, at, " "); sub("/main", "", at[2]) }
		$3 ~ kind "$" { gsub(" ", "", $2); print at[2], $2 }')
	for suite; do
		# A suite's security and point-release updates belong to it.
		awk -v s="$suite" '$1 == s || $1 == s "-security" || $1 == s "-updates" { print $2 }' \
			<<<"$list" | sort -rV
	done | awk '!seen[$0]++'
}

apt_fetch()
{
	local source=$1 kind=$2 version=$3 dir=$4

	apt_prepare
	mkdir -p "$dir"
	case $kind in
	source) (cd "$dir" && apt-get -q=2 --download-only source "$source=$version") ;;
	deb) (cd "$dir" && apt-get -q=2 download "$source=$version") ;;
	esac >>"$cache/apt/fetch.log" 2>&1
}
