// Errors as values: Result<T>, Error, TRY.
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
