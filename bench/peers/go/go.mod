// SPDX-License-Identifier: BSD-2-Clause
module heist/peers/go

go 1.27

toolchain go1.27.4
