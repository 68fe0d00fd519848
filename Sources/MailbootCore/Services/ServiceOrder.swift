extension Configuration {
  /// Whether the service is started behind one that takes mail from the world.
  func waitsForDoor(_ service: Service) -> Bool {
    var names = service.after
    var seen: Set<String> = []
    while let name = names.popLast() {
      guard seen.insert(name).inserted, let other = services.first(where: { $0.name == name }) else { continue }
      if other.isDoor { return true }
      names += other.after
    }
    return false
  }

  /// Whether the first service begins only when the other one is ready, by their places.
  func waits(_ index: Int, for otherIndex: Int) -> Bool {
    let (service, other) = (services[index], services[otherIndex])
    if service.after.contains(other.name) { return true }
    // Unless it waits for a door itself: two doors would wait for each other's followers.
    return service.isDoor && !other.isDoor && !waitsForDoor(other)
  }

  /// Indices of the services in the order in which they are stopped, the reverse of their start: what stands behind a door, the
  /// doors, the rest; among these the reverse of `after`.
  public var stopOrder: [Int] {
    let order = serviceOrder().order.compactMap { service in services.firstIndex(of: service) }.reversed()
    func rank(_ service: Service) -> Int { waitsForDoor(service) ? 0 : service.isDoor ? 1 : 2 }
    return (0...2).flatMap { wanted in order.filter { rank(services[$0]) == wanted } }
  }
}
