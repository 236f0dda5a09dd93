// SPDX-License-Identifier: Apache-2.0
// flagserver/cbor.hpp - values as RFC 8949 core deterministic CBOR: equal values, equal bytes, in every language.
#pragma once

#include <string>
#include <string_view>

#include "arena.hpp"
#include "value.hpp"

namespace flagserver {

/// Appends the encoding of `v`: shortest heads and floats, map keys in bytewise order of their encoding. Missing is
/// null. `scratch` is used for sorting keys. Throws limit_exceeded where values nest too deep.
void append_cbor(const value& v, arena& scratch, std::string& out);
void append_cbor_text(std::string_view text, std::string& out);
/// The head of an array of `count` items, which follow.
void append_cbor_array(std::size_t count, std::string& out);

}  // namespace flagserver
