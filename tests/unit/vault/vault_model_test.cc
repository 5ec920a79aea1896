// Random sequences of calls by two that share a vault, against a model: what is there, what may
// go, how much is admitted, and what the shared count says.
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "shunt/vault/ledger.h"
#include "support/catch.h"
#include "unit/vault/support.h"

namespace shunt::vault {
namespace {

constexpr std::uint64_t kPiece = 64 << 10;  // of every file system's blocks a multiple
constexpr std::uint64_t kModelBudget = 12 * kPiece;

// An item as it should be.
struct ModelItem {
  std::uint64_t size = 0;
  char fill = 0;
  bool pinned = false;
  int used = 0;    // later: larger
  int number = 0;  // no two that ever were have the same
};

// An item that is open here.
struct HeldItem {
  Item item;
  ModelItem model;
};

// A reservation that is written and not committed.
struct HeldReservation {
  Reservation reservation;
  std::string name;
  ModelItem model;
  std::size_t vault = 0;
};

class Sequence {
 public:
  Sequence() {
    for (auto& vault : vaults_) vault = open_vault(path_, kModelBudget);
  }

  void step() {
    const auto choice = *rc::gen::inRange(0, 12);
    const auto vault = *rc::gen::inRange<std::size_t>(0, vaults_.size());
    const std::string name(1, static_cast<char>('a' + *rc::gen::inRange(0, 6)));
    const std::uint64_t size = kPiece * *rc::gen::inRange<std::uint64_t>(1, 6);
    switch (choice) {
      case 0:
      case 1:
      case 2:
        return create(vault, name, size);
      case 3:
        return open(vault, name);
      case 4:
        if (!held_.empty()) held_.erase(held_.begin() + *rc::gen::inRange<long>(0, held_count()));
        return;
      case 5:
        return retire(vault, name);
      case 6:
        return pin(vault, name);
      case 7:
        (void)admit(vault, size);  // and nothing is written
        return;
      case 8:
        return evict(vault, kPiece * *rc::gen::inRange<std::uint64_t>(0, 12));
      case 9:
        return die_while_reserving(name, size);
      case 10:
        return reopen(vault);
      default:
        return reserved_ ? end_reservation() : begin_reservation(vault, name, size);
    }
  }

  void check() {
    std::set<std::string> there;
    for (const ItemStatus& item : items_of(*vaults_[0])) {
      there.insert(item.name);
      RC_ASSERT(items_.contains(item.name));
      RC_ASSERT(item.size == items_[item.name].size);
      RC_ASSERT(item.pinned == items_[item.name].pinned);
    }
    RC_ASSERT(there.size() == items_.size());
    for (const HeldItem& held : held_) {
      RC_ASSERT(content(held.item.file()) == std::string(held.model.size, held.model.fill));
    }
    RC_ASSERT(total() + reserved() <= kModelBudget);
    // It may count what is not there any more, or not yet; never too little.
    const auto count = Ledger(path_ + "/.usage").count();
    RC_ASSERT(count.value_or(UINT64_MAX) >= total() + reserved());
  }

 private:
  [[nodiscard]] long held_count() const { return static_cast<long>(held_.size()); }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto& [name, item] : items_) sum += item.size;
    return sum;
  }
  [[nodiscard]] std::uint64_t reserved() const { return reserved_ ? reserved_->model.size : 0; }
  [[nodiscard]] bool may_go(const ModelItem& item) const {
    return !item.pinned && std::ranges::none_of(held_, [&](const HeldItem& held) {
      return held.model.number == item.number;
    });
  }

  ModelItem new_item(std::uint64_t size) {
    ++counter_;
    return {size, static_cast<char>('A' + counter_ % 26), false, counter_, counter_};
  }
  // Times of use that no clock decides.
  void mark_used(const std::string& name) {
    items_[name].used = ++counter_;
    set_used(path_ + "/" + name, 1'000 + counter_);
  }

  // What has gone since: what may go and was used longest ago, and no more than brings the rest
  // down to `wish`.
  void check_evicted(std::uint64_t wish) {
    std::set<std::string> there;
    for (const ItemStatus& item : items_of(*vaults_[1])) there.insert(item.name);
    const ModelItem* last = nullptr;
    for (const auto& [name, item] : items_) {
      if (there.contains(name)) continue;
      RC_ASSERT(may_go(item));
      if (last == nullptr || item.used > last->used) last = &item;
    }
    if (last == nullptr) return;
    std::uint64_t left = 0;
    for (const auto& [name, item] : items_) {
      if (!there.contains(name)) continue;
      left += item.size;
      RC_ASSERT(!may_go(item) || item.used > last->used);
    }
    RC_ASSERT(left + last->size > wish);
    std::erase_if(items_, [&](const auto& entry) { return !there.contains(entry.first); });
  }

  bool admit(std::size_t vault, std::uint64_t bytes) {
    std::uint64_t stays = reserved() + bytes;
    for (const auto& [name, item] : items_) stays += may_go(item) ? 0 : item.size;
    const bool possible = stays <= kModelBudget;
    const std::size_t before = items_.size();
    auto granted = vaults_[vault]->admit(bytes);
    RC_ASSERT(granted.has_value());
    if (possible && !*granted) {
      // After a scan that took long it does not look again for a while; another one does.
      granted = open_vault(path_, kModelBudget)->admit(bytes);
      RC_ASSERT(granted.has_value());
    }
    RC_ASSERT(*granted == possible);
    const std::uint64_t ample = kModelBudget - std::max(bytes, kModelBudget / 20);
    check_evicted(ample > reserved() ? ample - reserved() : 0);
    RC_ASSERT(*granted || items_.size() == before);
    RC_ASSERT(!*granted || total() + reserved() + bytes <= kModelBudget);
    return *granted;
  }

  void create(std::size_t vault, const std::string& name, std::uint64_t size) {
    if (!admit(vault, size)) return;
    const ModelItem item = new_item(size);
    auto made = reserve_with(*vaults_[vault], name, std::string(size, item.fill));
    commit(std::move(made), name, item);
  }
  void commit(Reservation reservation, const std::string& name, const ModelItem& item) {
    auto committed = std::move(reservation).commit();
    if (items_.contains(name)) {
      RC_ASSERT(!committed.has_value());
      RC_ASSERT(committed.error().code == ErrorCode::kBusy);
      return;
    }
    RC_ASSERT(committed.has_value());
    items_[name] = item;
    mark_used(name);
    if (item.number % 2 == 0) held_.push_back({std::move(*committed), items_[name]});
  }
  void begin_reservation(std::size_t vault, const std::string& name, std::uint64_t size) {
    if (!admit(vault, size)) return;
    const ModelItem item = new_item(size);
    reserved_.emplace(HeldReservation{
        reserve_with(*vaults_[vault], name, std::string(size, item.fill)), name, item, vault});
  }
  void end_reservation() {
    HeldReservation ending = std::move(*reserved_);
    reserved_.reset();
    if (*rc::gen::arbitrary<bool>()) {
      commit(std::move(ending.reservation), ending.name, ending.model);
    }
  }

  void open(std::size_t vault, const std::string& name) {
    auto item = vaults_[vault]->open_item(name);
    RC_ASSERT(item.has_value());
    RC_ASSERT(item->has_value() == items_.contains(name));
    if (!*item) return;
    mark_used(name);
    held_.push_back({std::move(**item), items_[name]});
  }
  void retire(std::size_t vault, const std::string& name) {
    const auto retired = vaults_[vault]->retire(name);
    RC_ASSERT(retired.has_value());
    RC_ASSERT(*retired == (items_.erase(name) > 0));
  }
  void pin(std::size_t vault, const std::string& name) {
    const bool there = items_.contains(name);
    if (there && items_[name].pinned) {
      RC_ASSERT(vaults_[vault]->unpin(name).has_value());
      items_[name].pinned = false;
      return;
    }
    RC_ASSERT(vaults_[vault]->pin(name).has_value() == there);
    if (there) items_[name].pinned = true;
  }
  void evict(std::size_t vault, std::uint64_t most) {
    const auto left = vaults_[vault]->evict(most);
    RC_ASSERT(left.has_value());
    check_evicted(most);
    RC_ASSERT(*left == total());
    if (*left > most) {
      RC_ASSERT(
          std::ranges::none_of(items_, [&](const auto& each) { return may_go(each.second); }));
    }
  }
  // The shared count after a scan is what there is.
  void check_count_is_exact() {
    RC_ASSERT(vaults_[0]->sweep().has_value());
    evict(0, UINT64_MAX);
    RC_ASSERT(Ledger(path_ + "/.usage").count() == total() + reserved());
  }

  // Another process reserves, writes, and is gone.
  void die_while_reserving(const std::string& name, std::uint64_t size) {
    if (!admit(0, size)) return;
    const pid_t child = ::fork();
    RC_ASSERT(child >= 0);
    if (child == 0) {
      const auto own = Vault::open(path_, Options{Durability::kUnsynced, kModelBudget});
      auto reservation = own ? (*own)->reserve(name) : Result<Reservation>(own.error());
      const bool fine =
          reservation &&
          reservation->file().write_at(0, as_bytes(std::string(size, '?'))).has_value();
      ::_exit(fine ? 0 : 1);
    }
    int status = -1;
    RC_ASSERT(::waitpid(child, &status, 0) == child);
    RC_ASSERT(status == 0);
    RC_ASSERT(hidden_files(path_) >= 1U);
    if (*rc::gen::arbitrary<bool>()) check_count_is_exact();
  }
  // As after a crash: nothing that the object knew is of use to the next one.
  void reopen(std::size_t vault) {
    if (reserved_ && reserved_->vault == vault) reserved_.reset();
    vaults_[vault] = open_vault(path_, kModelBudget);
    RC_ASSERT(vaults_[vault]->sweep().has_value());
    RC_ASSERT(hidden_files(path_) == (reserved_ ? 1U : 0U));
    check_count_is_exact();
  }

  const test::TempDir directory_;
  const std::string path_ = directory_.file("v");
  std::array<std::unique_ptr<Vault>, 2> vaults_;
  std::map<std::string, ModelItem> items_;
  std::vector<HeldItem> held_;
  std::optional<HeldReservation> reserved_;
  int counter_ = 0;
};

TEST_CASE("a vault that two share is as a model says, whatever they do") {
  CHECK(rc::check([] {
    Sequence sequence;
    for (int i = 0; i < 40; ++i) {
      sequence.step();
      sequence.check();
    }
  }));
}

}  // namespace
}  // namespace shunt::vault
