extension HostSettings {
  /// The same host with everything that can be asked for: each setting that a template may write is in its files.
  public var withEverything: HostSettings {
    var all = self
    all.quota = quota ?? "2G"
    all.smarthost = smarthost ?? Smarthost(host: "smtp.example.net", passwordFile: "/etc/mailboot/smarthost")
    all.ipv6 = false
    all.ipv4 = true
    all.spamFilter = true
    all.selector = selector ?? "202001"
    all.perUserBayes = true
    all.managesieve = true
    all.vaultType = vaultType ?? "luks"
    if !limits.isAny { all.limits = Limits() }
    if userLimits.isEmpty { all.userLimits = ["news@example.org": Limits()] }
    if own.dovecot == nil { all.own.dovecot = "/etc/dovecot/local.conf" }
    return all
  }
}
