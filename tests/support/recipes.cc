#include "support/recipes.h"

#include <algorithm>

namespace shunt::test {

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = [] {
    std::vector<Recipe> joined;
    for (const auto& part :
         {top_level_recipes(), trailer_recipes(), box_type_recipes(), torn_recipes(),
          reserve_recipes(), track_recipes(), item_recipes(), fragment_recipes(), vendor_recipes(),
          four_gib_recipes(), hostile_recipes()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

const Recipe* find_recipe(std::string_view name) {
  const auto& all = recipes();
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Recipe& r) { return r.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<Track> two_tracks(std::uint32_t chunks) {
  return {fixed_track(1, chunks), varying_track(2, chunks)};
}

}  // namespace shunt::test
