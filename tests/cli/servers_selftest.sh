#!/usr/bin/env bash
# The servers of servers.sh do what the tests that use them rely on.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
need_command nginx docker-registry skopeo buildah openssl python3 curl jq

# get STATUS URL [CURL OPTION...]: the body in $work/body, the header in $work/header.
get() {
  local wanted=$1 url=$2 status
  shift 2
  status=$(curl -s --noproxy '*' -o "$work/body" -D "$work/header" -w '%{http_code}' "$@" "$url") || true
  equal "status of $url $*" "$status" "$wanted"
}
header() { grep -iEq -- "$1" "$work/header" || fail "no '$1' in: $(tr '\r\n' ' |' <"$work/header")"; }
no_header() { ! grep -iEq -- "$1" "$work/header" || fail "there is '$1' in: $(tr '\r\n' ' |' <"$work/header")"; }

mkdir "$work/files"
head -c 300000 /dev/urandom >"$work/files/data"
slice() { dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none; }
slice "$work/files/data" 100 1000 >"$work/part"

test_nginx() {
  start_nginx "$work/files" "$@"
  get 200 "$nginx_url/data"
  same "$work/body" "$work/files/data"
  header '^etag:'
  header '^last-modified:'
  header '^accept-ranges: bytes'
  equal "requests with data" "$(data_requests)" 1
  equal "bytes" "$(bytes_sent)" 300000
  get 206 "$nginx_url/data" -r 100-1099
  same "$work/body" "$work/part"
  get 416 "$nginx_url/data" -r 300000-
  get 404 "$nginx_url/nothing"
  equal "requests with data" "$(data_requests)" 2
  equal "bytes of a range" "$(bytes_sent 'bytes=100-1099$')" 1000
  equal "lines of it" "$(nginx_requests ' 206 1000 bytes=100-1099$' | wc -l)" 1
  forget_requests
  equal "lines after forgetting" "$(nginx_requests | wc -l)" 0
  get 200 "$nginx_url/noranges/data" -r 100-1099
  no_header '^accept-ranges'
  equal "bytes without ranges" "$(bytes_sent /noranges/)" 300000
  get 401 "$nginx_url/auth/data"
  get 401 "$nginx_url/auth/data" -u "$nginx_user:wrong"
  get 200 "$nginx_url/auth/data" -u "$nginx_user:$nginx_password"
  get 200 "$nginx_url/immutable/data"
  header '^cache-control: max-age=31536000, immutable'
  get 206 "$nginx_url/novalidator/data" -r 0-0
  no_header '^(etag|last-modified)'
  get 302 "$nginx_url/redirect/data"
  header "^location: .*/data"
  kill "$nginx_pid" && wait "$nginx_pid" || true
  [[ $(curl -s --noproxy '*' -w '%{http_code}' "$nginx_url/data") == 000 ]] ||
    fail "nginx does not end with its process"
}

test_nginx
test_nginx --tls
[[ $nginx_url == https:* ]] || fail "no TLS"
test_nginx --http2
nginx_protocols=$(cut -d' ' -f3 "$nginx_log" | sort -u)
equal "protocols of --http2" "$nginx_protocols" HTTP/2.0
# Whoever does not know the authority must not trust it.
start_nginx "$work/files" --tls
! CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE='' \
  curl -s --noproxy '*' -o "$work/body" "$nginx_url/data" || fail "curl trusts anyone"
unset SSL_CERT_FILE CURL_CA_BUNDLE

# ---- images -------------------------------------------------------------------------------------

mkdir -p "$work/layer1/dir" "$work/layer2"
cp "$work/files/data" "$work/layer1/dir/random"
seq 50000 >"$work/layer1/numbers"
echo two >"$work/layer2/two"

inspect() { skopeo --insecure-policy inspect --tls-verify=false --raw "$@" >"$work/manifest"; }
manifest() { jq -r "$1" "$work/manifest"; }

# check_layers COMPRESSION: the layers of $work/manifest are there, whole and in ranges, and have
# what was put in.
check_layers() {
  local digest size type known magic names
  rm -rf "$work/plain"
  skopeo --insecure-policy copy -q --src-tls-verify=false --dest-decompress \
    "docker://$image" "dir:$work/plain"
  # The layers are what is a tar in it.
  names=$(for layer in "$work/plain"/*; do tar -tf "$layer" 2>/dev/null || true; done)
  while read -r digest size type; do
    get 200 "$blobs/$digest"
    equal "size of a blob" "$(stat -c %s "$work/body")" "$size"
    equal "digest of a blob" "sha256:$(sha256sum <"$work/body" | cut -d' ' -f1)" "$digest"
    case $1 in
      gzip) known='*.tar+gzip' magic=1f8b ;;
      zstd) known='*.tar+zstd' magic=28b52ffd ;;
      plain) known='*.tar' magic='' ;;
    esac
    # shellcheck disable=SC2053
    [[ $type == $known ]] || fail "$what: the layer is $type"
    [[ $(od -An -tx1 -N8 "$work/body" | tr -d ' ') == "$magic"* ]] || fail "$what: the layer is not $1"
    cp "$work/body" "$work/blob"
    get 206 "$blobs/$digest" -r 10-19
    cmp -s "$work/body" <(slice "$work/blob" 10 10) || fail "a range of a blob is wrong"
  done < <(manifest '.layers[] | "\(.digest) \(.size) \(.mediaType)"')
  [[ $names == *dir/random* && $names == *numbers* && $names == *two* ]] || fail "layers of $image have: $names"
}

start_registry
get 200 "http://$registry/v2/"
for with in skopeo buildah; do
  for compression in gzip zstd plain; do
    if [[ $with == buildah && ($compression == plain || $EUID != 0) ]]; then continue; fi
    push_image "test/$with:$compression" --with "$with" --compression "$compression" \
      "$work/layer1" "$work/layer2"
    inspect "docker://$image"
    blobs=http://$registry/v2/test/$with/blobs
    equal "layers by $with" "$(manifest '.layers | length')" 2
    what="$with, $compression"
    check_layers "$compression"
    if [[ $with == skopeo && $compression != zstd ]]; then
      equal "digest of the manifest" "sha256:$(sha256sum <"$work/manifest" | cut -d' ' -f1)" \
        "$(awk '$1 == "manifest" { print $2 }' "$work/image.blobs")"
    fi
  done
done
equal "a blob in the registry's log" \
  "$(registry_requests 'GET /v2/test/skopeo/blobs/.*" 206 10 ' | wc -l)" 6
equal "its bytes" "$(registry_bytes 'GET /v2/test/skopeo/blobs/.*" 206 ')" 60

push_image test/index --index "$work/layer1" "$work/layer2"
inspect "docker://$image"
equal "platforms" "$(manifest '.manifests[].platform.architecture' | tr '\n' ' ')" "amd64 arm64 "
for arch in amd64 arm64; do
  skopeo --insecure-policy inspect --tls-verify=false --override-arch "$arch" "docker://$image" >"$work/out"
  equal "architecture" "$(json .Architecture)" "$arch"
  equal "layers" "$(json '.Layers | length')" 3
done

# ---- tokens -------------------------------------------------------------------------------------

start_registry --token
get 401 "http://$registry/v2/"
header '^www-authenticate: bearer realm='
push_image private/image "$work/layer1"
push_image public/image "$work/layer1"
if ((EUID == 0)); then push_image public/built --with buildah "$work/layer1"; fi
write_authfile "$work/auth.json"
inspect --authfile "$work/auth.json" "docker://$registry/private/image"
inspect --no-creds "docker://$registry/public/image"
! inspect --no-creds "docker://$registry/private/image" 2>/dev/null || fail "private/ is public"
write_authfile "$work/wrong.json" "$registry_user" wrong
! inspect --authfile "$work/wrong.json" "docker://$registry/public/image" 2>/dev/null ||
  fail "a wrong password passes"
token_requests | grep -q '^200 writer repository:private/image:pull' || fail "no token for private/"
token_requests | grep -q '^200 - repository:public/image:pull$' || fail "no token for public/"
token_requests | grep -q '^401 writer ' || fail "the wrong password is not in the log"

# A token ends when the test says so, whatever the client was told.
manifest_url=http://$registry/v2/public/image/manifests/latest
token() {
  curl -s --noproxy '*' "$(cat "$token_dir/url")?service=shunt-registry&scope=repository:public/image:pull" |
    tee "$work/out" | jq -r .token
}
accept='Accept: application/vnd.oci.image.manifest.v1+json'
token_lifetime 2 300
bearer=$(token)
equal "what the client hears" "$(json .expires_in)" 300
get 200 "$manifest_url" -H "$accept" -H "Authorization: Bearer $bearer"
until [[ $(curl -s --noproxy '*' -o "$work/body" -w '%{http_code}' -H "$accept" -H "Authorization: Bearer $bearer" "$manifest_url") == 401 ]]; do
  ((SECONDS < 60)) || break
  sleep 0.1
done
get 401 "$manifest_url" -H "$accept" -H "Authorization: Bearer $bearer"
token_lifetime 30
get 200 "$manifest_url" -H "$accept" -H "Authorization: Bearer $(token)"
