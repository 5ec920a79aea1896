#!/usr/bin/env bash
# Layers out of a real registry: gzip and zstd, several layers, an index of two platforms, tokens that
# end early, layouts on disk, and a blob that is not what its digest says.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/servers.sh
source "$(dirname "$0")/servers.sh"
need_command jq skopeo docker-registry
cd "$work"
export SHUNT_CACHE_DIR=$work/cache
# Nobody's credentials. (REGISTRY_AUTH_FILE would be a setting of the registry itself.)
unset REGISTRY_AUTH_FILE DOCKER_CONFIG
mkdir home
export HOME=$work/home XDG_RUNTIME_DIR=$work/home

mkdir one two
head -c 2000000 /dev/urandom >one/file
head -c 500000 /dev/urandom >two/file
digest_of() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }
layer_digest() { skopeo inspect --raw --tls-verify=false "$@" "docker://$image" | jq -r ".layers[$n].digest"; }

# ---- without tokens: each compression, each tool ----
start_registry
for with in "skopeo gzip" "skopeo zstd" "skopeo plain" "buildah gzip" "buildah zstd"; do
  read -r tool compression <<<"$with"
  if [[ $tool == buildah ]] && { ((EUID != 0)) || ! command -v buildah >/dev/null; }; then continue; fi
  push_image "test/$tool-$compression" --with "$tool" --compression "$compression" one two
  for n in 0 1; do
    expect 0 --json fetch "docker://$image" --layer "$n" -o layer --force
    equal "$with: the digest of layer $n" "$(digest_of layer)" "$(layer_digest)"
    equal "$with: verified" "$(json .verified)" true
    equal "$with: identity" "$(json .identity)" "$(digest_of layer)"
  done
done

# By digest; from the cache, without a single request once the manifest is known by its digest.
n=1
wanted=$(layer_digest)
expect 0 fetch "docker://$image" --layer "$wanted" -o layer --force
equal "by its digest" "$(digest_of layer)" "$wanted"
expect 0 fetch "docker://$image" --layer "${wanted:7:12}" -o layer --force
manifest=sha256:$(skopeo inspect --raw --tls-verify=false "docker://$image" | sha256sum | cut -d' ' -f1)
expect 0 fetch "docker://${image%:*}@$manifest" --layer 1 -o layer --force
expect 0 --json fetch "docker://${image%:*}@$manifest" --layer 1 -o layer --force
equal "requests for what has a digest" "$(json .requests)" 0
expect 0 fetch --offline "docker://$image" --layer 1 -o layer --force
equal "offline" "$(digest_of layer)" "$wanted"
expect 0 fetch "docker://$image" --layer 1 --range 100+50 -o part
same part <(slice layer 100 50)
"$SHUNT" fetch "docker://$image" --layer 1 2>err | cmp - layer || fail "a layer through a pipe"
expect 2 fetch "docker://$image" -o never
says '2 layers'
expect 2 fetch "docker://$image" --layer 7 -o never
expect 5 fetch "docker://$registry/test/nothing" --layer 0 -o never
expect 2 fetch "docker://$registry/UPPER" --layer 0 -o never

# ---- all layers at once ----
rm -rf cache
expect 0 --json cache-warm "docker://$image"
equal "layers warmed" "$(json '.sources | length')" 2
equal "all verified" "$(json '[.sources[].verified] | all')" true
expect 0 --json cache-warm "docker://$image"
equal "requests for data, the second time" "$(json '[.sources[].data_requests] | add')" 0
equal "entries" "$("$SHUNT" --json cache ls | jq '[.entries[] | select(.complete and .verified)] | length')" 2

# ---- an index of two platforms ----
push_image test/index --index one
raw=$(skopeo inspect --raw --tls-verify=false "docker://$image")
for architecture in amd64 arm64; do
  expect 0 fetch "docker://$image" --platform "linux/$architecture" --layer 0 -o "$architecture"
  of=$(jq -r ".manifests[] | select(.platform.architecture == \"$architecture\") | .digest" <<<"$raw")
  equal "the layer of $architecture" "$(digest_of "$architecture")" \
    "$(skopeo inspect --raw --tls-verify=false "docker://${image%:*}@$of" | jq -r '.layers[0].digest')"
done
expect 1 fetch "docker://$image" --platform linux/s390x --layer 0 -o never
says 'amd64'

# ---- a layout on disk ----
skopeo --policy policy.json copy -q --src-tls-verify=false "docker://$registry/test/skopeo-gzip" oci:layout:tagged
expect 0 --json fetch oci:layout:tagged --layer 0 -o local
equal "verified, from a layout" "$(json .verified)" true
equal "requests, from a layout" "$(json .requests)" 0
same local "layout/blobs/sha256/$(sha256sum <local | cut -d' ' -f1)"
blob=layout/blobs/sha256/$(sha256sum <local | cut -d' ' -f1)
printf 'X' | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
expect 6 fetch oci:layout:tagged --layer 0 -o never

# ---- a blob that does not have its digest ----
push_image test/bad one
n=0
digest=$(layer_digest)
data=$registry_dir/storage/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data
printf 'X' | dd of="$data" bs=1 seek=70000 conv=notrunc status=none
rm -rf cache
expect 6 --json fetch "docker://$image" --layer 0 -o never
equal "code of the error" "$(json .error.code)" 6
[[ ! -e never ]] || fail "a layer with another digest was delivered"
equal "what is left of it in the cache" "$("$SHUNT" --json cache ls | jq '.entries | length')" 0
run fetch "docker://$image" --layer 0 --no-cache -o never
((rc == 6)) && [[ ! -e never ]] || fail "without a cache: exit $rc, $(ls)"
rc=0
"$SHUNT" fetch "docker://$image" --layer 0 >piped 2>err || rc=$?
equal "exit of a pipe with wrong bytes" "$rc" 6
expect 6 cache-warm "docker://$image"
no_leftovers .

# ---- tokens ----
start_registry --token
push_image private/image one two
write_authfile auth.json
rm -rf cache
expect 5 fetch "docker://$image" --layer 0 -o never
expect 0 fetch "docker://$image" --authfile auth.json --layer 0 -o layer --force
n=0
equal "with a token" "$(digest_of layer)" "$(layer_digest --authfile auth.json)"
! grep -rq "$(printf '%s' "$registry_user:$registry_password" | base64)" cache || fail "credentials in the cache"
# Tokens that end in the middle of a download: one second each, at a rate that needs several.
rm -rf cache
token_lifetime 1 60
expect 0 --json fetch "docker://$image" --authfile auth.json --layer 0 --max-rate 500K -o layer --force
equal "with tokens that end" "$(digest_of layer)" "$(layer_digest --authfile auth.json)"
write_authfile wrong.json "$registry_user" wrong
expect 5 fetch "docker://$image" --authfile wrong.json --layer 0 -o never
