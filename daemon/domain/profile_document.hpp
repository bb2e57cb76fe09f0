#pragma once

#include <vector>

#include "daemon/domain/document.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/domain/reference.hpp"

namespace berth {

Document profile_document(const Profile& profile, const std::vector<Reference>& used_by);

/// `used_by` rows as documents: kind, project, name.
std::vector<Document> reference_documents(const std::vector<Reference>& references);

}  // namespace berth
