// Small programs in herd's C format. SPDX-License-Identifier: Apache-2.0
#pragma once
