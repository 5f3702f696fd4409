# Whom this host trusts, and whether enough of them have signed `sums`, the path of a SHA256SUMS. The script around it has
# say, refuse and has; `named` are files of keys that count instead of those of this host, a line each; no globs (set -f).
trusted=/etc/bundler/trusted.d

# Prints the files of the keys that this host trusts, a line each.
trusted_keys() {
    if [ -n "$named" ]; then
        printf %s "$named"
        return
    fi
    [ -d "$trusted" ] || return 0
    [ -r "$trusted" ] && [ -x "$trusted" ] || refuse "$trusted cannot be read: run this as root" 9
    some=''
    set +f
    for key in "$trusted"/*.pem; do
        [ -e "$key" ] || continue
        say "$key"
        some=yes
    done
    set -f
    [ -n "$some" ] || [ ! -e "$trusted/policy.json" ] ||
        refuse "$trusted has a policy and no key, so that nothing is trusted" 9
}

# Prints what policy.json says: how many keys have to sign, and the ids of those that count, `all` for all of them.
policy() {
    if [ -n "$named" ] || [ ! -e "$trusted/policy.json" ]; then
        say '1 all'
        return
    fi
    # awk reads no JSON: what a person would not write there is left to the tool
    awk '
        { text = text $0 }
        END {
            gsub(/[ \t\r]/, "", text)
            if (text !~ /^\{.*\}$/ || index(text, "\\")) exit 1
            if (text ~ /"threshold".*"threshold"/ || text ~ /"keys":.*"keys":/) exit 1
            threshold = 1
            if (match(text, /"threshold":[0-9]+/)) threshold = substr(text, RSTART + 12, RLENGTH - 12)
            else if (index(text, "\"threshold\"")) exit 1
            if (threshold + 0 < 1) exit 1
            ids = "all"
            if (match(text, /"keys":\[[0-9a-f",]*\]/)) ids = substr(text, RSTART + 8, RLENGTH - 9)
            else if (index(text, "\"keys\":")) exit 1
            print threshold, ids
        }' "$trusted/policy.json" || refuse "$trusted/policy.json cannot be read by this script; use bundler unpack" 9
}

# Tells whether a key has signed SHA256SUMS, by a signature that anybody may have made first, or by the one named after it.
has_signed() {
    for file in "$sums.sig" "$sums.sig.$2"; do
        if [ -f "$file" ] && [ ! -h "$file" ] &&
            openssl dgst -sha256 -verify "$1" -signature "$file" "$sums" >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

# Prints the ids of the keys that count and have signed, from their files on stdin; each counts once, whatever its files.
signers() {
    seen=' '
    while IFS= read -r key; do
        id=$(openssl pkey -pubin -in "$key" -outform DER 2>/dev/null | openssl dgst -sha256 -r)
        id=${id%"${id#????????????????}"}
        case $seen in *" $id "*) continue ;; esac
        seen="$seen$id "
        case $1 in
        all | *"$id"*) ! has_signed "$key" "$id" || say "$id" ;;
        esac
    done
}

# Refuses `sums` where too few of `keys`, the files of the keys that are trusted, have signed it.
require_signed() {
    has openssl || refuse 'this host trusts some keys, and openssl is not here to check a signature; install it' 9
    counting=$(policy) || exit $?
    found=$(printf '%s\n' "$keys" | signers "${counting#* }" | awk 'NF { ids = ids " " $0; count++ } END { print count + 0 ids }')
    [ "${found%% *}" -ge "${counting%% *}" ] ||
        refuse "SHA256SUMS is not signed by those whom this host trusts: want ${counting%% *}, got $found; do not use this bundle before you know why" 5
    say "signed by${found#"${found%% *}"}"
}
