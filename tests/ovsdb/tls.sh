# SPDX-License-Identifier: Apache-2.0
#
# For tests of TLS: certificate authorities in $scratch/pki, made when asked.

pki=$scratch/pki
mkdir -p "$pki"

# make_ca NAME: NAME.ca is its certificate.
make_ca() {
	mkdir -p "$pki/$1.d"
	: >"$pki/$1.d/index"
	echo 01 >"$pki/$1.d/serial"
	cat >"$pki/$1.conf" <<END
[req]
distinguished_name = dn
prompt = no
x509_extensions = root
[dn]
CN = $1
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = here
[here]
new_certs_dir = $pki/$1.d
database = $pki/$1.d/index
serial = $pki/$1.d/serial
certificate = $pki/$1.ca
private_key = $pki/$1.key
default_md = sha256
default_crl_days = 30
default_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
END
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-config "$pki/$1.conf" -days 30 -keyout "$pki/$1.key" \
		-out "$pki/$1.ca" 2>>"$scratch/openssl"
}

# make_certificate NAME CA CN [EXTENSIONS [OPTION...]]: NAME.pem, NAME.key;
# extensions by openssl's lines, with \n between.
make_certificate() {
	name=$1 ca=$2
	{
		printf '[req]\ndistinguished_name = dn\nprompt = no\n'
		printf 'req_extensions = ext\n[dn]\nCN = %s\n[ext]\n' "$3"
		printf 'basicConstraints = CA:false\n%b\n' "${4-}"
	} >"$pki/$name.conf"
	shift 3
	[ $# -eq 0 ] || shift
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-config "$pki/$name.conf" -keyout "$pki/$name.key" \
		-out "$pki/$name.csr" 2>>"$scratch/openssl" &&
	openssl ca -batch -notext -config "$pki/$ca.conf" "$@" \
		-in "$pki/$name.csr" -out "$pki/$name.pem" \
		2>>"$scratch/openssl" || {
		cat "$scratch/openssl"
		echo "no certificate for $name"
		exit 1
	}
}

# keys NAME CA: what programs are told.
keys() {
	printf -- '--private-key=%s --certificate=%s --ca-cert=%s' \
		"$pki/$1.key" "$pki/$1.pem" "$pki/$2.ca"
}
