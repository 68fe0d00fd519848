extension WebSite {
  /// For `/etc/apache2/sites-available/mailhost.conf`; with the module ssl.
  public var apache: String {
    let hosts = hosts.map { names, isPolicy in
      """
      # \(certbot(names))
      <VirtualHost *:443>
        ServerName \(names[0])
      \(names.dropFirst().map { "  ServerAlias \($0)\n" }.joined())\
        SSLEngine on
        SSLCertificateFile /etc/letsencrypt/live/\(names[0])/fullchain.pem
        SSLCertificateKeyFile /etc/letsencrypt/live/\(names[0])/privkey.pem
        DocumentRoot \(root)
      \(isPolicy ? "" : "  AddType text/xml .xml\n  AddType application/x-apple-aspen-config .mobileconfig\n")\
      </VirtualHost>

      """
    }
    return hosts.joined() + """
      <Directory \(root)>
        Require all granted
        Options None
        AllowOverride None
      </Directory>

      """
  }
}
