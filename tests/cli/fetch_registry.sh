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

# ---- an image without an index, for amd64 ----
push_image test/single one
expect 0 fetch "docker://$image" -o single
for source in "docker://$image" "oci:$work/image/oci"; do
  for command in "fetch -o never" cache-warm; do
    # shellcheck disable=SC2086
    expect 1 $command "$source" --platform linux/arm64
    says 'no image for linux/arm64(/v8)?; there are: linux/amd64$'
  done
  rm -f got
  expect 0 fetch "$source" --platform linux/amd64 -o got
  same got single "$source"
done
# Which has been asked once, and is known then.
manifest=sha256:$(skopeo inspect --raw --tls-verify=false "docker://$image" | sha256sum | cut -d' ' -f1)
expect 0 --json fetch "docker://${image%:*}@$manifest" --platform linux/amd64 -o got --force
equal "requests, the platform known" "$(json .requests)" 0
expect 0 fetch --offline "docker://$image" --platform linux/amd64 -o got --force
rm -rf cache
expect 0 cache-warm "docker://$image"
expect 0 fetch --offline "docker://$image" --platform linux/arm64 -o got --force
says 'its platform is unknown offline'

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

# ---- a manifest that gives another size than the blob has ----
mkdir sized
head -c 1000000 /dev/urandom >sized/file
push_image test/sized sized two
n=0
digest=$(layer_digest) sized=$image lies=docker://${image%:*}:lies
skopeo inspect --raw --tls-verify=false "docker://$image" >manifest.json
size=$(jq '.layers[0].size' manifest.json)
type=$(jq -r .mediaType manifest.json)
jq '.layers[0].size = 100' manifest.json >lies.json
curl -sf --noproxy '*' -X PUT -H "Content-Type: $type" --data-binary @lies.json \
  "http://$registry/v2/test/sized/manifests/lies" -o answer || fail "the registry does not take the manifest"
for state in cold part warm; do
  rm -rf cache
  [[ $state != part ]] || expect 0 fetch "docker://$sized" --layer 0 --range 0-9 -o part --force
  [[ $state != warm ]] || expect 0 fetch "docker://$sized" --layer 0 -o layer --force
  expect 4 fetch "$lies" --layer 0 -o never
  says "$size (bytes )?(on the server )?instead of 100"
  [[ ! -e never ]] || fail "$state: a layer of another size than its manifest says was delivered"
  # The right manifest goes on with what is there, whichever came first.
  expect 0 fetch "docker://$sized" --layer 0 -o layer --force
  equal "$state: the layer by the right manifest" "$(digest_of layer)" "$digest"
done
expect 4 fetch "$lies" --layer 0 --range 0-9 -o never
expect 4 cache-warm "$lies" --layer 0
expect 4 fetch --offline "$lies" --layer 0 -o never
expect 0 fetch --offline "docker://$sized" --layer 0 --range 0-9 -o part --force
# In a layout on disk, likewise.
rm -rf layout
skopeo --policy policy.json copy -q --src-tls-verify=false "docker://$sized" oci:layout:tagged
jq -c '.layers[0].size = 100' "layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' layout/index.json)" >lies.json
cp lies.json "layout/blobs/sha256/$(sha256sum <lies.json | cut -d' ' -f1)"
jq -c ".manifests[0].digest = \"$(digest_of lies.json)\" | .manifests[0].size = $(stat -c %s lies.json)" layout/index.json >index.json
cp index.json layout/index.json
expect 4 fetch oci:layout:tagged --layer 0 -o never
says "$size bytes instead of 100"

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
wanted=$(layer_digest --authfile auth.json)
token_lifetime 1 60
expect 0 --json fetch "docker://$image" --authfile auth.json --layer 0 --max-rate 500K -o layer --force
equal "with tokens that end" "$(digest_of layer)" "$wanted"
write_authfile wrong.json "$registry_user" wrong
expect 5 fetch "docker://$image" --authfile wrong.json --layer 0 -o never
