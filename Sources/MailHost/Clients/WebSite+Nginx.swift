extension WebSite {
  /// For `/etc/nginx/conf.d/mailhost.conf`.
  public var nginx: String {
    hosts.map { names, isPolicy in
      """
      # \(certbot(names))
      server {
      \(listensOn.map { "  listen \($0)443 ssl;\n" }.joined())\
        server_name\(names.map { "\n    " + $0 }.joined());
        ssl_certificate /etc/letsencrypt/live/\(names[0])/fullchain.pem;
        ssl_certificate_key /etc/letsencrypt/live/\(names[0])/privkey.pem;
        root \(root);
        autoindex off;
      \(isPolicy ? policyLocation : clientLocations)\
        location / { return 404; }
      }

      """
    }.joined()
  }

  /// The media types do not hang on what is in mime.types.
  private var policyLocation: String { "  location = \(MTASTSPolicy.path) { types { } default_type text/plain; }\n" }

  private var clientLocations: String {
    Autoconfig.paths.map { "  location = \($0) { types { } default_type text/xml; }\n" }.joined()
      + "  location /profiles/ { types { } default_type application/x-apple-aspen-config; }\n"
  }
}
