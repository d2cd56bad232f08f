#!/bin/sh
# Gets a certificate from the lobby with an enrolment token. Needs only curl and openssl.
#
#   LOBBY_TOKEN='<identifier> <token>' sh vending.sh https://<console> pump-1 1.0
# The key is created here and never leaves this folder. Each run requests the same certificate, so it can be
# repeated after an interruption at any step. Files are written here: device.key.pem, device.cert.pem, root.pem,
# backup-root.pem and lobby.txt (endpoint and port). If mosquitto_rr is installed, the device then says hello and waits
# for its route, unless HELLO is "no".
set -eu
umask 077
url=$1 name=$2 version=$3
: "${LOBBY_TOKEN:?want the identifier and the token, separated by a space}"

[ -s device.key.pem ] || {
    openssl ecparam -name prime256v1 -genkey -noout -out device.key.new
    mv device.key.new device.key.pem
}
csr=$(openssl req -new -sha256 -key device.key.pem -subj "/CN=$name" | awk '{ printf "%s\\n", $0 }')

# curl gets the token through a pipe, because other users can read the arguments of a process.
status=$(printf 'header = "Authorization: %s"\n' "$LOBBY_TOKEN" | curl --config - --silent --show-error \
    --retry 5 --connect-timeout 10 --max-time 30 --header 'Content-Type: application/json' \
    --data "{\"thingName\": \"$name\", \"version\": \"$version\", \"csr\": \"$csr\"}" \
    --output answer.json --write-out '%{http_code}' "${url%/}/register")

# Values of this answer contain no quotation marks; \n stands for the ends of lines.
text() {
    printf '%b\n' "$(sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" answer.json)"
}
[ "$status" = 200 ] || {
    echo "status $status: $(text code) $(text error)$(text message)" >&2
    exit 1
}
for each in pem:device.cert.pem rootCa:root.pem backupRootCa:backup-root.pem; do
    text "${each%%:*}" | sed '/^$/d' > "${each#*:}.new"
    mv "${each#*:}.new" "${each#*:}"
done
port=$(sed -n 's/.*"port": *\([0-9]*\).*/\1/p' answer.json)
endpoint=$(text endpoint)
echo "$endpoint $port" > lobby.txt
rm answer.json
openssl verify -CAfile root.pem root.pem > /dev/null
echo "$name: certificate $(openssl x509 -in device.cert.pem -noout -fingerprint -sha256), lobby $endpoint:$port"

[ "${HELLO:-yes}" = yes ] && command -v mosquitto_rr > /dev/null || exit 0
mosquitto_rr -h "$endpoint" -p "$port" -i "$name" --cafile root.pem --cert device.cert.pem --key device.key.pem \
    -t '$aws/rules/lobby' -e "lobby/$name" -q 1 -m '{}'
