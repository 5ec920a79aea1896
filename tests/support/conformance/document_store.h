// What every blob::DocumentStore has to do (blob/document_store.h), as one function that the tests
// of each implementation call.
#pragma once

#include <functional>
#include <memory>

#include "shunt/blob/document_store.h"

namespace shunt::test {

// `open` gives an object each time; all of them share what is kept.
void check_document_store(const std::function<std::shared_ptr<blob::DocumentStore>()>& open);

}  // namespace shunt::test
