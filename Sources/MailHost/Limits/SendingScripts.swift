/// What redis does for `mailhost limits` with the counts that rspamd makes there.
///
/// For each account `mailhost:limits:count:USER` is a hash: `m:HOUR`, `r:HOUR`, `n:HOUR` (messages, recipients, new recipients taken in that
/// hour since 1970), `x:HOUR` (mails put off), `level` and `at` (recipients at once), and times by limit: `since:L`, `last:L`, `told:L`.
/// `mailhost:limits:known:USER` has its recipients with the time of the last mail, `mailhost:limits:users` all accounts.
public enum SendingScripts {
  public static func keys(_ user: String) -> [String] {
    ["mailhost:limits:count:\(user)", "mailhost:limits:known:\(user)", users]
  }
  public static let users = "mailhost:limits:users"

  /// KEYS: `users`. ARGV: none, or the account that alone is meant. Answer: a line of JSON for each.
  public static let counts = """
    local lines = {}
    local users = ARGV[1] and { ARGV[1] } or redis.call('SMEMBERS', KEYS[1])
    for _, user in ipairs(users) do
      local fields = redis.call('HGETALL', 'mailhost:limits:count:' .. user)
      if #fields > 0 then
        lines[#lines + 1] = cjson.encode({ user = user, fields = fields })
      else
        redis.call('SREM', KEYS[1], user)
      end
    end
    return table.concat(lines, '\\n')
    """

  /// The account may send as if it had sent nothing. Whom it knows, and that the administrator was told, stays. KEYS: `keys`.
  public static let clear = """
    local fields = redis.call('HKEYS', KEYS[1])
    for _, field in ipairs(fields) do
      if string.sub(field, 1, 5) ~= 'told:' then redis.call('HDEL', KEYS[1], field) end
    end
    return ''
    """

  /// KEYS: `keys`. Nothing is left of the account.
  public static let forget = "redis.call('SREM', KEYS[3], ARGV[1]); redis.call('DEL', KEYS[1], KEYS[2]); return ''"

  /// The administrator was told. KEYS: `keys`. ARGV: seconds since 1970, the limits.
  public static let told = """
    for i = 2, #ARGV do redis.call('HSET', KEYS[1], 'told:' .. ARGV[i], ARGV[1]) end
    return ''
    """
}
