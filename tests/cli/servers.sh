# shellcheck shell=bash disable=SC2034,SC2154
# Real servers for the command-line tests, to be sourced after lib.sh: nginx, and a registry with or
# without tokens; and images for the registry, made without a network. They listen on loopback alone,
# keep everything in $work, and end with the test.

# free_port: a port of loopback that nobody uses now. Somebody may, before it is taken: then the
# server fails to start, and whoever starts it tries another.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# until_it_answers PID URL [CURL OPTION...]: waits for a server; false when its process ends first.
until_it_answers() {
  local pid=$1 i
  shift
  for ((i = 0; i < 200; ++i)); do
    kill -0 "$pid" 2>/dev/null || return 1
    curl -s -o "$work/answer" --noproxy '*' --max-time 5 "$@" && return
    sleep 0.05
  done
  return 1
}

# make_tls DIR: a certificate authority of its own (ca.pem) and by it a certificate for localhost and
# 127.0.0.1 (cert.pem, key.pem).
make_tls() {
  local dir=$1 curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  mkdir -p "$dir"
  {
    openssl req -x509 "${curve[@]}" -days 2 -subj '/CN=shunt tests' \
      -addext 'keyUsage=critical,keyCertSign' -keyout "$dir/ca-key.pem" -out "$dir/ca.pem" &&
      openssl req "${curve[@]}" -subj '/CN=localhost' -keyout "$dir/key.pem" -out "$dir/request.pem" &&
      openssl x509 -req -in "$dir/request.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca-key.pem" \
        -CAcreateserial -days 2 -out "$dir/cert.pem" \
        -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1')
  } 2>"$dir/log" || { cat "$dir/log" && return 1; }
}

# begin_with_cache: goes to $work, with a cache of its own and a folder www for what is served.
begin_with_cache() {
  need_command jq
  cd "$work"
  export SHUNT_CACHE_DIR=$work/cache
  mkdir www
}

# ---- nginx --------------------------------------------------------------------------------------

# start_nginx DIR [--tls] [--http2]: serves the files in DIR; --http2 has TLS too. Sets $nginx_url,
# without a slash at its end, and $nginx_pid. With TLS clients get the authority by SSL_CERT_FILE and
# CURL_CA_BUNDLE. The files are under / and, each in its own way, under
#   /noranges/   without ranges
#   /auth/       for $nginx_user with $nginx_password
#   /immutable/  which never change, says Cache-Control
#   /novalidator/  with neither ETag nor Last-Modified
#   /redirect/   somewhere else: under /
#   /brief/      the same for one second
#   /latest      302 to /immutable/v2 when there is a file `second` in DIR, else to /immutable/v1
#   /dated/      without ETag, and what is not newer has not changed (If-Modified-Since)
#   /emptytag/   whose ETag is ""
#   /private/    like /auth/, with max-age; each user has a folder of that name
start_nginx() {
  local dir tls='' listen='' scheme=http port i
  dir=$(realpath "$1")
  shift
  for i in "$@"; do
    case $i in
      --tls) tls=yes listen=' ssl' ;;
      --http2) tls=yes listen=' ssl http2' ;;
    esac
  done
  need_command nginx curl python3 openssl
  nginx_dir=$(mktemp -d "$work/nginx.XXXX")
  nginx_log=$nginx_dir/access.log
  nginx_user=reader nginx_password='open sesame'
  for i in "$nginx_user" alice; do
    printf '%s:%s\n' "$i" "$(openssl passwd -apr1 "$nginx_password")"
  done >"$nginx_dir/users"
  if [[ -n $tls ]]; then
    scheme=https
    make_tls "$nginx_dir/tls"
    export SSL_CERT_FILE=$nginx_dir/tls/ca.pem CURL_CA_BUNDLE=$nginx_dir/tls/ca.pem
    tls="ssl_certificate $nginx_dir/tls/cert.pem; ssl_certificate_key $nginx_dir/tls/key.pem;"
  fi
  for ((i = 0; i < 5; ++i)); do
    port=$(free_port)
    nginx_configuration "$dir" "$port" "$listen" "$tls" >"$nginx_dir/nginx.conf"
    : >"$nginx_log"
    nginx -e "$nginx_dir/error.log" -c "$nginx_dir/nginx.conf" 2>"$nginx_dir/stderr" &
    nginx_pid=$!
    background+=("$nginx_pid")
    nginx_url=$scheme://127.0.0.1:$port
    until_it_answers "$nginx_pid" "$nginx_url/-/settled" && return
  done
  cat "$nginx_dir/stderr" "$nginx_dir/error.log"
  fail "nginx does not start"
  exit 1
}

# One process does everything: it ends with its pid, and serves one thing after the other.
nginx_configuration() {
  local dir=$1 port=$2 listen=$3 tls=$4
  cat <<CONFIGURATION
daemon off;
master_process off;
pid $nginx_dir/pid;
events {}
http {
  log_format requests '\$request \$status \$body_bytes_sent \$http_range';
  access_log $nginx_log requests;
  client_body_temp_path $nginx_dir/temp;
  proxy_temp_path $nginx_dir/temp;
  fastcgi_temp_path $nginx_dir/temp;
  uwsgi_temp_path $nginx_dir/temp;
  scgi_temp_path $nginx_dir/temp;
  types { video/mp4 mp4; text/plain txt; application/json json; }
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:$port$listen;
    $tls
    root $dir;
    location /noranges/ { alias $dir/; max_ranges 0; }
    location /auth/ { alias $dir/; auth_basic "tests"; auth_basic_user_file $nginx_dir/users; }
    location /immutable/ { alias $dir/; add_header Cache-Control "max-age=31536000, immutable"; }
    location /novalidator/ { alias $dir/; etag off; if_modified_since off; add_header Last-Modified ""; }
    location /brief/ { alias $dir/; add_header Cache-Control "max-age=1"; }
    location = /latest {
      add_header Cache-Control no-cache always;
      if (-f $dir/second) { return 302 /immutable/v2; }
      return 302 /immutable/v1;
    }
    location /dated/ { alias $dir/; etag off; if_modified_since before; }
    location /emptytag/ { alias $dir/; etag off; add_header ETag '""'; add_header Last-Modified ""; }
    location /private/ {
      alias $dir/\$remote_user/;
      auth_basic "tests"; auth_basic_user_file $nginx_dir/users;
      add_header Cache-Control "max-age=3600";
    }
    location /redirect/ { rewrite ^/redirect(/.*)\$ \$1 redirect; }
    location = /-/settled { access_log off; return 204; }
  }
}
CONFIGURATION
}

# nginx_requests [PATTERN]: the lines of the log, "METHOD URI PROTOCOL STATUS BYTES RANGE", of those
# that fit. What a client has its whole answer of is in it: nginx writes that line before it takes
# another request, so one more is asked for.
nginx_requests() {
  curl -s --noproxy '*' -o "$work/answer" "$nginx_url/-/settled" || fail "nginx has gone"
  grep -E -- "${1:-}" "$nginx_log" || true
}

# data_requests [PATTERN]: how many requests were answered with bytes of a file.
data_requests() {
  nginx_requests "${1:-}" | awk '$1 == "GET" && ($4 == 200 || $4 == 206) { n++ } END { print n + 0 }'
}

# bytes_sent [PATTERN]: how many bytes of bodies nginx sent.
bytes_sent() { nginx_requests "${1:-}" | awk '{ n += $5 } END { printf "%d\n", n }'; }

# forget_requests: counts from here on.
forget_requests() {
  nginx_requests >"$work/answer"
  : >"$nginx_log"
}

# ---- registry -----------------------------------------------------------------------------------

# start_registry [--token]: sets $registry (HOST:PORT), $registry_pid. With --token it wants a token
# for everything; $registry_user with $registry_password gets one for everything, anyone one for
# reading public/... Tokens are good for 300 s unless token_lifetime says otherwise.
start_registry() {
  local port i auth=''
  need_command docker-registry curl python3
  registry_dir=$(mktemp -d "$work/registry.XXXX") registry_user='' registry_password=''
  if [[ ${1-} == --token ]]; then
    start_token_server
    auth="auth: {token: {realm: '$(cat "$token_dir/url")', service: shunt-registry,
  issuer: shunt-tests, rootcertbundle: '$token_dir/cert.pem'}}"
  fi
  for ((i = 0; i < 5; ++i)); do
    port=$(free_port)
    cat >"$registry_dir/config.yml" <<CONFIGURATION
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: '$registry_dir/storage'}
  delete: {enabled: true}
http: {addr: '127.0.0.1:$port', secret: shunt}
$auth
CONFIGURATION
    docker-registry serve "$registry_dir/config.yml" >"$registry_dir/log" 2>&1 &
    registry_pid=$!
    background+=("$registry_pid")
    registry=127.0.0.1:$port
    until_it_answers "$registry_pid" "http://$registry/v2/" && return
  done
  cat "$registry_dir/log"
  fail "the registry does not start"
  exit 1
}

start_token_server() {
  local i
  need_command openssl
  token_dir=$(mktemp -d "$work/token.XXXX") registry_user=writer registry_password='open: sesame'
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=shunt tests' \
    -keyout "$token_dir/key.pem" -out "$token_dir/cert.pem" 2>"$token_dir/log"
  printf '%s:%s\n' "$registry_user" "$registry_password" >"$token_dir/user"
  token_lifetime 300
  : >"$token_dir/requests"
  python3 "$(dirname "${BASH_SOURCE[0]}")/token_server.py" "$token_dir" 2>>"$token_dir/log" &
  token_pid=$!
  background+=("$token_pid")
  for ((i = 0; i < 200; ++i)); do
    [[ ! -e $token_dir/url ]] || return 0
    sleep 0.05
  done
  cat "$token_dir/log"
  fail "the token server does not start"
  exit 1
}

# token_lifetime SECONDS [CLAIMED]: the registry takes tokens given out from now on for so long. The
# client hears CLAIMED, if that is given: a token that ends early.
token_lifetime() { echo "$1 ${2:-$1}" >"$token_dir/lifetime"; }

# token_requests: a line "STATUS ACCOUNT SCOPE..." for each token that was asked for.
token_requests() { cat "$token_dir/requests"; }

# registry_requests [PATTERN]: the lines of the registry's log ("… "GET /v2/… HTTP/1.1" STATUS BYTES
# …") that fit. One more request gives it the time to write the line of the last.
registry_requests() {
  curl -s --noproxy '*' -o "$work/answer" "http://$registry/" || fail "the registry has gone"
  grep -E '"[A-Z]+ /v2/[^"]*" [0-9]+ ' "$registry_dir/log" | grep -E -- "${1:-}" || true
}

# registry_bytes [PATTERN]: how many bytes of bodies the registry sent.
registry_bytes() {
  registry_requests "${1:-}" | sed 's/.*HTTP\/[0-9.]*" [0-9]* \([0-9]*\).*/\1/' |
    awk '{ n += $1 } END { printf "%d\n", n }'
}

# write_authfile FILE [USER PASSWORD]: credentials for $registry, as `skopeo login` leaves them.
write_authfile() {
  local user=${2-$registry_user} password=${3-$registry_password} known=''
  if [[ -n $user ]]; then
    known="\"$registry\": {\"auth\": \"$(printf '%s:%s' "$user" "$password" | base64 -w0)\"}"
  fi
  (umask 077 && echo "{\"auths\": {$known}}" >"$1")
}

# ---- images -------------------------------------------------------------------------------------

# push_image NAME[:TAG] [OPTION...] LAYER...: makes an image with a layer for each LAYER, a folder or a
# file, and pushes it to $registry. $image names it then. Options:
#   --with skopeo    (else) from a layout by make_oci.py, byte for byte; or
#   --with buildah   built, committed and pushed by it; for root alone
#   --compression gzip|zstd|plain   of the layers; else gzip. buildah never pushes plain ones
#   --index          an index for linux/amd64 and linux/arm64; with skopeo alone
# $work/image.blobs has a line "KIND DIGEST SIZE" for each blob of an image that make_oci.py made,
# except with zstd, where skopeo compresses anew.
push_image() {
  local with=skopeo compression=gzip platforms=() layers=()
  [[ $1 == *:* ]] || set -- "$1:latest" "${@:2}"
  image=$registry/$1
  shift
  while (($# > 0)); do
    case $1 in
      --with) with=$2 && shift ;;
      --compression) compression=$2 && shift ;;
      --index) platforms=(--platform linux/amd64 --platform linux/arm64) ;;
      *) layers+=("$(realpath "$1")") ;;
    esac
    shift
  done
  # Signatures are not what is tested.
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$work/policy.json"
  rm -rf "$work/image"
  mkdir "$work/image"
  write_authfile "$work/image/auth.json"
  "push_by_$with" >"$work/image/log" 2>&1 || {
    cat "$work/image/log"
    fail "$with cannot push $image"
    exit 1
  }
}

push_by_skopeo() {
  local made=$compression as=(--preserve-digests)
  need_command skopeo
  if [[ $compression == zstd ]]; then made=plain as=(--dest-compress-format zstd); fi
  python3 "$(dirname "${BASH_SOURCE[0]}")/make_oci.py" --compression "$made" "${platforms[@]}" \
    "$work/image/oci" "${layers[@]}" >"$work/image.blobs" &&
    own_blob_cache skopeo --policy "$work/policy.json" copy --all "${as[@]}" --authfile "$work/image/auth.json" \
      --dest-tls-verify=false "oci:$work/image/oci:latest" "docker://$image"
}

push_by_buildah() {
  local base=scratch layer container
  need_command buildah
  need_root
  for layer in "${layers[@]}"; do
    container=$(buildah_here from --pull-never "$base") &&
      buildah_here copy "$container" "$layer" / &&
      buildah_here config --label "tests=shunt" "$container" &&
      buildah_here commit --rm "$container" shunt-test-image || return
    base=localhost/shunt-test-image
  done
  buildah_here push --authfile "$work/image/auth.json" --tls-verify=false \
    --compression-format "$compression" "$base" "docker://$image"
}

# own_blob_cache COMMAND...: containers' tools remember which blob is which, compressed, for all that
# they ever push, and then push that instead; root's memory is in /var/lib, whatever HOME says.
own_blob_cache() { XDG_DATA_HOME=$work/image/data _CONTAINERS_ROOTLESS_UID=65534 "$@"; }

# buildah_here ARGUMENT...: buildah with its storage in $work.
buildah_here() {
  local command=$1
  shift
  case $command in
    from | commit | push) set -- --signature-policy "$work/policy.json" "$@" ;;
  esac
  BUILDAH_ISOLATION=chroot own_blob_cache buildah --root "$work/image/storage" --runroot "$work/image/run" \
    --storage-driver vfs "$command" "$@"
}
