exports.Builder = class Builder {};
exports.Parser = class Parser {};
